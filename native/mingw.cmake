# Links the addon with MinGW: import libraries of Node's functions, which the addon finds in the
# program that loads it, whatever its name (napi/node_of_process_mingw.cpp).
foreach(definitions ${R1_NODE_DEFS})
  get_filename_component(name ${definitions} NAME_WE)
  set(library ${CMAKE_BINARY_DIR}/lib${name}.a)
  add_custom_command(OUTPUT ${library}
    COMMAND ${CMAKE_DLLTOOL} -d ${definitions} -D NODE.EXE -y ${library}
    DEPENDS ${definitions} VERBATIM)
  add_custom_target(r1_import_${name} DEPENDS ${library})
  add_dependencies(r1_native r1_import_${name})
  target_link_libraries(r1_native PRIVATE ${library})
endforeach()
target_link_libraries(r1_native PRIVATE delayimp)
