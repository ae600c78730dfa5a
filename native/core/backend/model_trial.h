// model_trial: checks in a child process whether llama.cpp aborts on a model. Loads it without its
// data, makes its context and, for small files, decodes. Main thread of that process.
#pragma once

#include "core/backend/context.h"
#include "core/backend/model.h"

namespace r1::model_trial {

/**
 * Ends this process when file descriptor 3 reaches its end: the parent holds the other end of that
 * pipe, so the trial never outlives it. Also disables core dumps and asks the system to end this
 * process first when memory runs out. Does nothing if no thread can be started.
 */
void end_with_parent();

/**
 * Loads the model as `model` says, but on the CPU and without its data. With `engine`, makes a
 * context, which builds and reserves the graphs. With `data`, then loads the file with its data and
 * decodes a few tokens in a small context: for small files only. Throws the Failures of Model::load
 * and Context. The parent detects aborts, crashes and hangs.
 */
void run(ModelConfig model, const EngineConfig * engine, bool data);

}  // namespace r1::model_trial
