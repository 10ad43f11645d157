# SPDX-License-Identifier: Apache-2.0
# What dh-sequence-kataimg adds to dh.
use strict;
use warnings;
use Debian::Debhelper::Dh_Lib;

insert_before('dh_installdeb', 'dh_kataimg');

1
