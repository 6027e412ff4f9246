# The reproduction targets (src/reproduce/targets/*.json) go into the library as texts: one header
# with an array of bytes for each. Run in two ways: included by CMakeLists.txt it makes the rule; as
# a script (-P) it writes the header.
if(CMAKE_SCRIPT_MODE_FILE)
  set(arrays "")
  set(table "")
  file(GLOB paths ${SOURCE}/*.json)
  list(SORT paths COMPARE NATURAL)
  foreach(path IN LISTS paths)
    get_filename_component(name ${path} NAME_WE)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" bytes ${bytes})
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes ${bytes})
    string(APPEND arrays "static const unsigned char target_${identifier}[] = {\n${bytes}0};\n\n")
    string(APPEND table "    {\"${name}\", target_${identifier}},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT
    "${arrays}static const struct {\n    const char *name;\n    const unsigned char *json;\n} targets[] = {\n${table}};\n")
  return()
endif()

file(GLOB RESNET_TARGETS CONFIGURE_DEPENDS src/reproduce/targets/*.json)
add_custom_command(OUTPUT ${RESNET_GENERATED}/reproduce_targets.h
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}/src/reproduce/targets
    -DOUTPUT=${RESNET_GENERATED}/reproduce_targets.h -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${RESNET_TARGETS} ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Embedding the reproduction targets" VERBATIM)
add_custom_target(resnet_targets DEPENDS ${RESNET_GENERATED}/reproduce_targets.h)
add_dependencies(resnet_objects resnet_targets)
