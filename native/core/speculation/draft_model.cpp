// DraftModel: a small model that guesses the next tokens of a large one, for several sequences at
// once. Engine thread only.
#include "core/speculation/draft_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/failure.h"

namespace r1 {
namespace {

// A guess below this probability is wrong too often to be worth verifying.
constexpr float least_probability = 0.4f;

// Ids below this are special tokens whose texts differ between releases of one family
// (common/speculative.cpp compares from the same place).
constexpr llama_token first_compared = 5;
constexpr int32_t max_size_difference = 128;

EngineConfig draft_config(EngineConfig config) {
    config.max_draft = 0;
    config.cache_type_k = "f16";
    config.cache_type_v = "f16";
    config.flash_attention = "auto";
    config.batch_size = std::max(config.ubatch_size, config.sequences);
    config.kv_unified = !config.deterministic;
    return config;
}

}  // namespace

DraftModel::DraftModel(std::shared_ptr<Model> model, const EngineConfig & config,
                       std::shared_ptr<ThreadPools> pools, ggml_abort_callback abort,
                       void * abort_data)
    : model_(std::move(model)),
      context_(model_, draft_config(config), std::move(pools), abort, abort_data),
      cache_(context_.memory(), MemoryKind::of(model_->handle()), context_.info().sequences,
             context_.info().context_size, context_.info().sequence_context,
             !config.deterministic || config.sequences == 1),
      deterministic_(config.deterministic),
      owners_(context_.info().sequences, 0) {
    if (config.warmup) {
        context_.warm_up();
    }
}

void DraftModel::check_same_vocabulary(const Vocab & large, const Vocab & small) {
    const auto refuse = [](const std::string & why) {
        throw Failure(ErrorCode::InvalidArgument,
                      "`draftModel` does not speak the same tokens: " + why +
                          ". Use a smaller model of the same family.");
    };
    if (llama_vocab_type(large.handle()) != llama_vocab_type(small.handle())) {
        refuse("its vocabulary is of another type");
    }
    if (std::abs(large.size() - small.size()) > max_size_difference) {
        refuse("it has " + std::to_string(small.size()) + " tokens instead of " +
               std::to_string(large.size()));
    }
    if (llama_vocab_bos(large.handle()) != llama_vocab_bos(small.handle()) ||
        llama_vocab_eos(large.handle()) != llama_vocab_eos(small.handle())) {
        refuse("its BOS or EOS has another id");
    }
    for (llama_token id = first_compared; id < std::min(large.size(), small.size()); ++id) {
        if (std::strcmp(llama_vocab_get_text(large.handle(), id),
                        llama_vocab_get_text(small.handle(), id)) != 0) {
            refuse("token " + std::to_string(id) + " has another text");
        }
    }
}

bool DraftModel::decode(const std::vector<Item> & items) {
    std::vector<llama_token> tokens;
    std::vector<llama_pos> positions;
    std::vector<int32_t> counts(items.size(), 1);
    std::vector<llama_seq_id> ids;
    std::vector<llama_seq_id *> id_pointers;
    std::vector<int8_t> logits;
    std::vector<std::size_t> added(context_.info().sequences, 0);
    for (const Item & item : items) {
        std::size_t & more = added[static_cast<std::size_t>(item.sequence)];
        tokens.push_back(item.token);
        positions.push_back(static_cast<llama_pos>(cache_.length(item.sequence) + more++));
        ids.push_back(item.sequence);
        logits.push_back(item.logits ? 1 : 0);
    }
    for (llama_seq_id & id : ids) {
        id_pointers.push_back(&id);
    }
    llama_batch batch{};
    batch.n_tokens = static_cast<int32_t>(items.size());
    batch.token = tokens.data();
    batch.pos = positions.data();
    batch.n_seq_id = counts.data();
    batch.seq_id = id_pointers.data();
    batch.logits = logits.data();
    bool good = false;
    try {
        good = context_.decode(batch) == 0;
    } catch (const std::exception &) {
        good = false;
    }
    for (const Item & item : items) {
        if (good) {
            cache_.decoded(item.sequence, item.token);
        } else {
            cache_.truncate(item.sequence, cache_.length(item.sequence));
        }
    }
    return good;
}

// Drops the tokens of a sequence's cache that the feed does not share.
void DraftModel::keep_own(const Job & job) {
    uint32_t & owner = owners_[static_cast<std::size_t>(job.sequence)];
    const bool is_foreign = deterministic_ && owner != job.request;
    owner = job.request;
    cache_.truncate(job.sequence,
                    is_foreign ? 0
                               : std::min(common_prefix(cache_.tokens(job.sequence), *job.feed),
                                          job.feed->size() - 1));
}

// Drops cached tokens that the feeds do not share and, if cells are short, unused sequences. False:
// there are not enough cells.
bool DraftModel::make_room(const std::vector<Job> & jobs) {
    std::size_t needed = 0;
    for (const Job & job : jobs) {
        keep_own(job);
        needed += job.feed->size() - cache_.length(job.sequence) + job.most;
    }
    for (llama_seq_id id = 0;
         cache_.free_cells() < needed && id < static_cast<llama_seq_id>(context_.info().sequences);
         ++id) {
        const bool wanted = std::any_of(jobs.begin(), jobs.end(),
                                        [id](const Job & job) { return job.sequence == id; });
        if (!wanted) {
            cache_.truncate(id, 0);
        }
    }
    return cache_.free_cells() >= needed;
}

// Brings each sequence's cache closer to its feed, those that lack least first, and keeps only the
// jobs that have caught up. The last token of each is decoded in the final batch, with logits.
bool DraftModel::catch_up(std::vector<Job> & jobs) {
    if (!make_room(jobs)) {
        return false;
    }
    std::stable_sort(jobs.begin(), jobs.end(),
                     [this](const Job & a, const Job & b) { return remaining(a) < remaining(b); });
    std::vector<Item> items;
    for (const Job & job : jobs) {
        const std::size_t from = cache_.length(job.sequence);
        const std::size_t count =
            std::min<std::size_t>(remaining(job), context_.info().ubatch_size - items.size());
        for (std::size_t i = from; i < from + count; ++i) {
            items.push_back({job.sequence, (*job.feed)[i], false});
        }
    }
    if (!items.empty() && !decode(items)) {
        return false;
    }
    jobs.erase(std::remove_if(jobs.begin(), jobs.end(),
                              [this](const Job & job) { return remaining(job) > 0; }),
               jobs.end());
    items.clear();
    for (const Job & job : jobs) {
        items.push_back({job.sequence, job.feed->back(), true});
    }
    return !items.empty() && decode(items);
}

llama_token DraftModel::most_likely(int32_t index, float & probability) const {
    const float * logits = llama_get_logits_ith(context_.handle(), index);
    probability = 0;
    if (logits == nullptr) {
        return LLAMA_TOKEN_NULL;
    }
    const int32_t size = model_->vocab().size();
    const float * best = std::max_element(logits, logits + size);
    float sum = 0;
    for (int32_t i = 0; i < size; ++i) {
        sum += std::exp(logits[i] - *best);
    }
    probability = 1.0f / sum;
    return static_cast<llama_token>(best - logits);
}

void DraftModel::propose(std::vector<Job> & jobs) {
    const auto hopeless = [this](const Job & job) {
        return job.most == 0 || job.feed->size() + job.most > cache_.ledger().per_sequence();
    };
    jobs.erase(std::remove_if(jobs.begin(), jobs.end(), hopeless), jobs.end());
    if (jobs.empty() || !catch_up(jobs)) {
        return;
    }
    std::vector<Job *> active;
    for (Job & job : jobs) {
        active.push_back(&job);
    }
    while (!active.empty()) {
        std::vector<Job *> next;
        std::vector<Item> items;
        for (std::size_t i = 0; i < active.size(); ++i) {
            float probability = 0;
            const llama_token guess = most_likely(static_cast<int32_t>(i), probability);
            if (guess == LLAMA_TOKEN_NULL || probability < least_probability) {
                continue;
            }
            Job & job = *active[i];
            job.guesses.push_back(guess);
            if (job.guesses.size() < job.most) {
                next.push_back(&job);
                items.push_back({job.sequence, guess, true});
            }
        }
        if (items.empty() || !decode(items)) {
            return;
        }
        active = std::move(next);
    }
}

}  // namespace r1
