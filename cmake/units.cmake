# install_units(FILE...): systemd units, which name the programs where they are installed to.
function(install_units)
  foreach(unit IN LISTS ARGN)
    get_filename_component(name ${unit} NAME)
    set(ready ${CMAKE_BINARY_DIR}/systemd/${name})
    install(CODE "
      file(READ ${unit} text)
      string(REPLACE /usr/bin/ \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/ text \"\${text}\")
      file(WRITE ${ready} \"\${text}\")")
    install(FILES ${ready} DESTINATION lib/systemd/system)
  endforeach()
endfunction()
