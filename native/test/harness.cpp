// An engine with a collector of its events, for the claims about whole requests. Test process; the
// collector is filled on the engine thread.
#include "test/harness.h"

#include <algorithm>
#include <chrono>

#include "test/tiny_model.h"

namespace r1::test {
namespace {

constexpr std::chrono::minutes max_delay{5};  // sanitizers are slow

}  // namespace

Harness::Harness(const EngineConfig & config, std::shared_ptr<Model> model) {
    if (model == nullptr) model = tiny_model();
    engine_ =
        std::make_unique<Engine>(std::move(model), nullptr, config,
                                 [this](std::vector<Event> && events) { take(std::move(events)); });
}

Harness::~Harness() { engine_->stop(); }

void Harness::take(std::vector<Event> && events) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Event & event : events) {
        const uint32_t id = std::visit([](const auto & any) { return any.id; }, event);
        Answer & answer = answers_[id];
        answer.events_after_last += answer.last_events;
        if (const auto * token = std::get_if<TokenEvent>(&event)) {
            answer.tokens.push_back(token->token);
            answer.text += token->text;
            // Ends count only where they may come: a request that ignores them reports them all the
            // same.
            std::vector<float> rest;
            const TokenLogprobs none;
            for (const TokenAlternative & one : (token->logprobs ? *token->logprobs : none).top) {
                if (one.token == token->token ||
                    !tiny_model()->vocab().is_end_of_generation(one.token))
                    rest.push_back(one.logprob);
            }
            if (rest.size() > 1) answer.margins.push_back(rest[0] - rest[1]);
            continue;
        }
        ++answer.last_events;
        answer.ended = Clock::now();
        if (const auto * end = std::get_if<EndEvent>(&event)) {
            answer.end = *end;
        } else {
            answer.error = std::get<ErrorEvent>(event).code;
        }
    }
    changed_.notify_all();
}

void Harness::submit(const std::shared_ptr<Request> & request) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        answers_[request->id];
    }
    engine_->submit(request);
}

bool Harness::over() const {
    return std::all_of(answers_.begin(), answers_.end(),
                       [](const auto & entry) { return entry.second.last_events > 0; });
}

std::map<uint32_t, Answer> Harness::finish() {
    std::unique_lock<std::mutex> lock(mutex_);
    check(changed_.wait_for(lock, max_delay, [this] { return over(); }), "a request is never over");
    for (const auto & [id, answer] : answers_) {
        check_equal(answer.last_events, 1, "last events of request " + std::to_string(id));
        check_equal(answer.events_after_last, 0,
                    "events after the last of request " + std::to_string(id));
        if (answer.end) {
            check_equal(static_cast<std::size_t>(answer.end->completion_tokens),
                        answer.tokens.size(), "tokens told of request " + std::to_string(id));
        }
    }
    std::map<uint32_t, Answer> all;
    all.swap(answers_);
    return all;
}

void Harness::wait_for_tokens(uint32_t id, std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    check(changed_.wait_for(
              lock, max_delay,
              [&] { return answers_[id].tokens.size() >= count || answers_[id].last_events > 0; }),
          "no tokens come");
}

bool Harness::is_over(uint32_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return answers_[id].last_events > 0;
}

Answer Harness::ask(const std::shared_ptr<Request> & request) {
    submit(request);
    return finish().at(request->id);
}

std::vector<uint8_t> Harness::save(const std::vector<llama_token> & tokens, uint64_t session,
                                   const std::vector<uint8_t> & key) {
    const std::shared_ptr<CellHold> hold = engine_->hold_cells(tokens, session).get();
    const std::atomic<bool> cancelled{false};
    MemorySink sink;
    try {
        engine_->save_session(hold, session_front(tokens), key, sink, cancelled);
    } catch (...) {
        engine_->release_cells(hold);
        throw;
    }
    engine_->release_cells(hold);
    return content_of(sink);
}

void Harness::restore(const std::vector<uint8_t> & bytes, uint64_t session,
                      const std::vector<uint8_t> & key) {
    const std::atomic<bool> cancelled{false};
    const auto block = std::make_shared<LargeBytes>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), block->data());
    const SavedSession saved =
        engine_->open_session(std::make_shared<MemorySource>(block), key, cancelled);
    engine_->restore_session(saved, session, cancelled);
}

std::vector<uint8_t> content_of(MemorySink & sink) {
    const std::size_t size = sink.size();
    const std::unique_ptr<LargeBytes> bytes = sink.take();
    return std::vector<uint8_t>(bytes->data(), bytes->data() + size);
}

std::vector<uint8_t> session_front(const std::vector<llama_token> & tokens) {
    std::vector<uint8_t> front(session_magic.begin(), session_magic.end());
    front.push_back(session_format);
    const auto number = [&front](uint32_t value) {
        for (int i = 0; i < 4; ++i) front.push_back(static_cast<uint8_t>(value >> (8 * i)));
    };
    number(2);
    front.push_back('{');
    front.push_back('}');
    number(static_cast<uint32_t>(tokens.size()));
    for (const llama_token token : tokens) number(static_cast<uint32_t>(token));
    return front;
}

}  // namespace r1::test
