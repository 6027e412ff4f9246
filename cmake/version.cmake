# The commit that a program was built from goes into a header, refreshed at every build, and
# rewritten only when it has changed (so that nothing is compiled for nothing). Run in two ways:
# included by CMakeLists.txt, it makes the target; as a script (-P), it writes the header.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit "unknown")
  find_package(Git QUIET)
  # A source tree without its own .git may lie inside an unrelated checkout.
  if(GIT_EXECUTABLE AND EXISTS ${SOURCE}/.git)
    execute_process(COMMAND ${GIT_EXECUTABLE} --no-optional-locks describe --always --dirty
      --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE described
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
      set(commit ${described})
    endif()
  endif()
  file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define RN_COMMIT \"${commit}\"\n")
  return()
endif()

set(RESNET_GENERATED ${PROJECT_BINARY_DIR}/generated)
add_custom_target(resnet_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}
    -DOUTPUT=${RESNET_GENERATED}/resnet_commit.h -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${RESNET_GENERATED}/resnet_commit.h
  COMMENT "Reading the commit" VERBATIM)
add_dependencies(resnet_objects resnet_commit)
target_include_directories(resnet_objects PRIVATE ${RESNET_GENERATED})
