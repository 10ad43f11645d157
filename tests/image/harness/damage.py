# SPDX-License-Identifier: Apache-2.0
"""What is changed in a file so that a judge must see it."""


def flip(path, offset, mask=1):
    """Changes these bits of a byte; once more, and it is as it was."""
    with open(path, 'r+b') as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
