// PromptPace: how many rows of prompts a step takes while several prompts wait. Engine thread only.
#include "core/engine/prompt_pace.h"

#include <algorithm>

namespace r1 {

PromptPace::PromptPace(std::size_t chunk) {
    for (std::size_t rows = smallest; rows < chunk; rows *= 2) {
        sizes_.push_back({rows, {}, 0});
    }
    sizes_.push_back({chunk, {}, 0});
}

PromptPace PromptPace::full(std::size_t chunk) {
    PromptPace pace(chunk);
    pace.learns_ = false;
    return pace;
}

void PromptPace::report(std::size_t rows, double milliseconds) {
    if (!learns_ || rows == 0) {
        return;
    }
    ++steps_;
    // Streams may make a step larger than a full one.
    const auto size = std::find_if(sizes_.begin(), std::prev(sizes_.end()),
                                   [rows](const Size & each) { return rows <= each.rows; });
    if (!is_known(*size)) {
        size->milliseconds.clear();
    }
    size->milliseconds.add(milliseconds / static_cast<double>(rows));
    size->step = steps_;
}

std::size_t PromptPace::rows() const {
    const Size & full = sizes_.back();
    if (!is_known(full)) {
        return full.rows;
    }
    const double limit = full.milliseconds.value() * tolerance;
    const auto found = std::find_if(sizes_.begin(), sizes_.end(), [&](const Size & size) {
        return is_known(size) && size.milliseconds.value() <= limit;
    });
    return found->rows;
}

}  // namespace r1
