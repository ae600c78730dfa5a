// Importance matrix: measures how strongly each input column of each weight is used by running text
// through a model. Runs on its own thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/model.h"

namespace r1 {

/** For one weight tensor: squares of its inputs summed by column (a row of columns for each
 * expert), and how many inputs there were (one count for each expert). */
struct ImportanceSums {
    std::string name;
    std::vector<float> sums;
    std::vector<float> counts;
};

struct ImatrixConfig {
    std::vector<llama_token> tokens;
    int32_t chunk = 512;  // tokens run through the model at once; a shorter rest is left out, as
                          // llama-imatrix does
    int32_t threads = 1;
};

/**
 * Blocks until done. `progress` gets 0..1 after each chunk. The model must have been loaded without
 * repacking: the callback does not see repacked weights. Throws Failure: Aborted, InvalidArgument
 * (no whole chunk, a token outside the vocabulary), OutOfMemory, DecodeFailed.
 */
std::vector<ImportanceSums> compute_imatrix(const std::shared_ptr<Model> & model,
                                            const ImatrixConfig & config,
                                            const std::atomic<bool> & cancelled,
                                            const std::function<void(double)> & progress);

}  // namespace r1
