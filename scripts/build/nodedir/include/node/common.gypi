# Stands where node-gyp expects the compiler settings of Node's headers: binding.gyp compiles nothing itself, so there are none.
{}
