# SPDX-License-Identifier: Apache-2.0
# For pkgs.callPackage. No nixpkgs has built this yet: Debian's nix has parsed and evaluated it.
{
  lib,
  stdenv,
  meson,
  ninja,
  pkg-config,
  cmocka,
  python3,
  bzip2,
  e2fsprogs,
  erofs-utils,
  inih,
  isa-l,
  json_c,
  libarchive,
  libselinux,
  lz4,
  openssl,
  util-linux,
  xz,
  zlib,
  zstd,
  # A release's archive, or the tree itself.
  src ? ../..,
}:
stdenv.mkDerivation {
  pname = "kataimg";
  version = "0.1.0";
  inherit src;

  nativeBuildInputs = [ meson ninja pkg-config ];
  buildInputs = [
    bzip2
    e2fsprogs
    inih
    isa-l
    json_c
    libarchive
    libselinux
    lz4
    openssl
    util-linux
    xz
    zlib
    zstd
  ];
  nativeCheckInputs = [ erofs-utils python3 zstd ];
  checkInputs = [ cmocka util-linux ];

  doCheck = true;
  mesonAutoFeatures = "enabled";
  mesonFlags = [ "-Dtests=true" ];
  # What needs neither root nor a guest.
  mesonCheckFlags = [ "--suite" "unit" "--suite" "check" "--timeout-multiplier" "10" ];
  postPatch = "patchShebangs .";

  meta = {
    description = "Guest-image builder for Kata Containers";
    homepage = "https://kataimg.example/kataimg";
    license = lib.licenses.asl20;
    mainProgram = "kataimg";
    platforms = lib.platforms.linux;
  };
}
