# Files of the source tree become arrays of bytes in the library: run as a script (-P), this writes
# OUTPUT, a C header with `static const unsigned char NAME[]` for FILE.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FILE} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n"
    bytes "${bytes}")
  file(WRITE ${OUTPUT} "static const unsigned char ${NAME}[] = {\n${bytes}\n};\n")
  return()
endif()

# The page of the dashboard.
set(RESNET_PAGE)
foreach(file IN ITEMS page.html token.html page.css page.js run.js chart.js)
  string(REPLACE . _ name ${file})
  set(output ${RESNET_GENERATED}/${name}.h)
  set(source ${PROJECT_SOURCE_DIR}/src/dashboard/${file})
  add_custom_command(OUTPUT ${output} DEPENDS ${source} ${CMAKE_CURRENT_LIST_FILE} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DFILE=${source} -DOUTPUT=${output} -DNAME=${name}
      -P ${CMAKE_CURRENT_LIST_FILE})
  list(APPEND RESNET_PAGE ${output})
endforeach()
target_sources(resnet_objects PRIVATE ${RESNET_PAGE})
