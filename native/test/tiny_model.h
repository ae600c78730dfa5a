// The embedded model and its unquantised form, each loaded once for all claims that need one. Test
// process only.
#pragma once

#include <memory>
#include <string>

#include "core/backend/model.h"

namespace r1::test {

/** Where loadable backends lie, in a build that has them: the folder of this program. Set once, by
 * main(). */
void set_backend_folder(const std::string & program);

/** models/tiny-r1.gguf with its weights. */
std::shared_ptr<Model> tiny_model();

/** models/tiny-r1-f16.gguf: the same before quantisation. Its activations are not rounded to 8 bits
 * on the way, so last bits stay last bits. */
std::shared_ptr<Model> precise_model();

/** A file's vocabulary without weights. */
std::shared_ptr<Model> vocabulary_of(const std::string & path);

/** Lets go of both, before the process's statics are. */
void release_models();

}  // namespace r1::test
