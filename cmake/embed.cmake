# embed_folder(target folder symbol): every file of the folder becomes a byte array in the target,
# listed in `const struct embedded_file <symbol>[]` (collector/embed.h), last entry all NULL.
function(embed_folder target folder symbol)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*)
  set(out ${CMAKE_BINARY_DIR}/${symbol}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${files}"
      -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
