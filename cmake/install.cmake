# cmake --install build/release [--prefix P]: libraries, headers, resnet.pc, the program with its man
# page and completion.
install(TARGETS resnet_static resnet_shared
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/resnet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The prefix in resnet.pc is relative to the file, so that --prefix and DESTDIR need no configuring.
file(RELATIVE_PATH RESNET_PC_PREFIX
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/resnet.pc.in resnet.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/resnet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET resnet_program)
  install(TARGETS resnet_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

  # The program writes its own man page and completion: they cannot lag behind its options.
  function(add_program_text file)
    string(JOIN " " words ${ARGN})
    add_custom_command(OUTPUT ${file} DEPENDS resnet_program VERBATIM
      COMMAND sh -c "\"$0\" ${words} >${file}.part && mv ${file}.part ${file}"
        $<TARGET_FILE:resnet_program>)
  endfunction()
  add_program_text(resnet.1 --man)
  add_program_text(resnet.bash completion bash)
  add_custom_target(resnet_texts ALL DEPENDS resnet.1 resnet.bash)
  install(FILES ${PROJECT_BINARY_DIR}/resnet.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${PROJECT_BINARY_DIR}/resnet.bash RENAME resnet
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
