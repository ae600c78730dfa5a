// model_trial: loads a model without its data, makes its context, and decodes with small files, to
// find out in a process made for it whether llama.cpp aborts. Main thread of that process.
#pragma once

#include "core/backend/context.h"
#include "core/backend/model.h"

namespace r1::model_trial {

/**
 * Ends this process when file descriptor 3 reaches its end: the parent holds the other end of that
 * pipe, so the trial never outlives it. Also forbids core dumps and asks the system to end this
 * process first where memory runs out. Nothing happens where no thread can be started.
 */
void end_with_parent();

/**
 * Loads the model as `model` says, but on the CPU, and without its data. With `engine` it makes a
 * context, which builds and reserves the graphs. With `data` it then loads the file as it is, and
 * decodes a few tokens in a small context: for small files only. Throws Failure as Model::load and
 * Context do. What aborts, crashes or hangs is for the parent to see.
 */
void run(ModelConfig model, const EngineConfig * engine, bool data);

}  // namespace r1::model_trial
