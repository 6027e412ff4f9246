# Everything comes from Debian's packages (see ./run); oneDNN may also be a 3.x given through
# CMAKE_PREFIX_PATH.
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)
find_package(dnnl REQUIRED CONFIG)
pkg_check_modules(DEPS REQUIRED IMPORTED_TARGET
  libcjson zlib libcurl>=7.85 libarchive libjpeg libpng libwebp libmd
  libmicrohttpd>=0.9.71)

set(RESNET_DEPENDENCIES DNNL::dnnl PkgConfig::DEPS OpenMP::OpenMP_C Threads::Threads m)
