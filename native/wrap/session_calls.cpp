// SessionCalls: the part of the contract's NativeEngine that saves sessions and restores them.
// JavaScript thread; the work itself runs on separate threads.
#include "wrap/session_calls.h"

#include <algorithm>
#include <atomic>

#include "core/failure.h"
#include "core/platform/background_thread.h"
#include "napi/async_job.h"
#include "napi/fields.h"
#include "napi/reaper.h"

namespace r1 {
namespace {

// What a double counts exactly.
constexpr double max_block_bytes = 9007199254740991.0;

using Flag = std::shared_ptr<std::atomic<bool>>;

Flag new_flag() { return std::make_shared<std::atomic<bool>>(false); }

uint32_t number_of(const Napi::Value & value, const char * what) {
    if (!value.IsNumber()) {
        throw Napi::TypeError::New(value.Env(),
                                   std::string("Expected a number for `") + what + "`.");
    }
    return value.As<Napi::Number>().Uint32Value();
}

// Sessions are numbered by JavaScript, so they are integers that a double holds.
uint64_t session_of(const Napi::Value & value) {
    if (!value.IsNumber()) {
        throw Napi::TypeError::New(value.Env(), "Expected a number for `session`.");
    }
    return static_cast<uint64_t>(std::max(0.0, value.As<Napi::Number>().DoubleValue()));
}

Napi::Uint8Array array_of(const Napi::Value & value, const char * what) {
    if (!value.IsTypedArray() ||
        value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        throw Napi::TypeError::New(value.Env(),
                                   std::string("Expected a Uint8Array for `") + what + "`.");
    }
    return value.As<Napi::Uint8Array>();
}

std::vector<uint8_t> bytes_of(const Napi::Value & value, const char * what) {
    if (value.IsNull()) {
        return {};
    }
    const Napi::Uint8Array array = array_of(value, what);
    return std::vector<uint8_t>(array.Data(), array.Data() + array.ElementLength());
}

// Freed by the reaper, whichever thread drops the last share.
std::shared_ptr<LargeBytes> freed_aside(std::unique_ptr<LargeBytes> bytes) {
    return std::shared_ptr<LargeBytes>(
        bytes.release(), [](LargeBytes * block) { reaper::post([block] { delete block; }); });
}

// Passes the memory to JavaScript without copying; copies it if the runtime forbids that.
Napi::Value handed_over(Napi::Env env, MemorySink & sink) {
    const std::size_t size = sink.size();
    const std::shared_ptr<LargeBytes> bytes = freed_aside(sink.take());
    auto share = std::make_unique<std::shared_ptr<LargeBytes>>(bytes);
    napi_value buffer = nullptr;
    const auto let_go = [](napi_env, void *, void * hint) {
        delete static_cast<std::shared_ptr<LargeBytes> *>(hint);
    };
    if (size > 0 && napi_create_external_arraybuffer(env, bytes->data(), size, let_go, share.get(),
                                                     &buffer) == napi_ok) {
        share.release();  // NOLINT: let_go deletes it
        return Napi::Uint8Array::New(env, size, Napi::ArrayBuffer(env, buffer), 0);
    }
    Napi::Uint8Array copy = Napi::Uint8Array::New(env, size);
    std::copy(bytes->data(), bytes->data() + size, copy.Data());
    return copy;
}

}  // namespace

Napi::Value SessionCalls::hold(const Napi::CallbackInfo & info,
                               const std::shared_ptr<Engine> & engine) {
    using Held = std::shared_ptr<CellHold>;
    auto coming = std::make_shared<std::future<Held>>(
        engine->hold_cells(ids_of(info[0], "tokens"), session_of(info[1])));
    return run_async<Held>(
        info.Env(), "r1.session.hold", [coming, keep = engine] { return coming->get(); },
        [tables = tables_](Napi::Env at, Held & held) -> Napi::Value {
            const uint32_t id = tables->next++;
            tables->holds.emplace(id, held);
            return Napi::Number::New(at, id);
        });
}

void SessionCalls::release(const Napi::CallbackInfo & info,
                           const std::shared_ptr<Engine> & engine) {
    const auto found = tables_->holds.find(number_of(info[0], "hold"));
    if (found != tables_->holds.end()) {
        engine->release_cells(found->second);
        tables_->holds.erase(found);
    }
}

Napi::Value SessionCalls::save(const Napi::CallbackInfo & info,
                               const std::shared_ptr<Engine> & engine) {
    const Fields fields(info[0], "save");
    const uint32_t id = fields.uint32("hold");
    const int32_t file = fields.int32("file", -1);
    std::shared_ptr<CellHold> hold;
    if (id != 0) {
        const auto found = tables_->holds.find(id);
        if (found == tables_->holds.end()) {
            throw Failure(ErrorCode::Internal, "There are no held cells of this number.");
        }
        hold = found->second;
    }
    const Flag cancelled = new_flag();
    using Sink = std::shared_ptr<MemorySink>;
    return run_async<Sink>(
        info.Env(), "r1.session.save",
        [engine, hold, file, cancelled, front = bytes_of(fields.value("front"), "front"),
         key = bytes_of(fields.value("key"), "key")]() -> Sink {
            step_back();
            if (file >= 0) {
                FileSink sink(file);
                engine->save_session(hold, front, key, sink, *cancelled);
                return nullptr;
            }
            const auto sink = std::make_shared<MemorySink>();
            engine->save_session(hold, front, key, *sink, *cancelled);
            return sink;
        },
        [](Napi::Env at, Sink & sink) -> Napi::Value {
            return sink == nullptr ? at.Null() : handed_over(at, *sink);
        },
        {[cancelled] { cancelled->store(true); }});
}

Napi::Value SessionCalls::keep(const Napi::CallbackInfo & info) {
    const double size = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
    if (!(size >= 0 && size <= max_block_bytes)) {
        throw Napi::TypeError::New(info.Env(), "Expected a number of bytes for `size`.");
    }
    const uint32_t id = tables_->next++;
    tables_->blocks.emplace(
        id, freed_aside(std::make_unique<LargeBytes>(static_cast<std::size_t>(size))));
    return Napi::Number::New(info.Env(), id);
}

void SessionCalls::put(const Napi::CallbackInfo & info) {
    const auto found = tables_->blocks.find(number_of(info[0], "block"));
    const Napi::Uint8Array piece = array_of(info[2], "piece");
    const double at = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
    if (found == tables_->blocks.end() || !(at >= 0) ||
        at + static_cast<double>(piece.ElementLength()) >
            static_cast<double>(found->second->size())) {
        throw Failure(ErrorCode::Internal, "There is no such place in the bytes of a session.");
    }
    std::copy(piece.Data(), piece.Data() + piece.ElementLength(),
              found->second->data() + static_cast<std::size_t>(at));
}

void SessionCalls::drop(const Napi::CallbackInfo & info) {
    tables_->blocks.erase(number_of(info[0], "block"));
}

Napi::Value SessionCalls::open(const Napi::CallbackInfo & info,
                               const std::shared_ptr<Engine> & engine) {
    const Fields fields(info[0], "source");
    const int32_t file = fields.int32("file", -1);
    std::shared_ptr<ByteSource> source;
    if (file < 0) {
        const auto found = tables_->blocks.find(fields.uint32("block"));
        if (found == tables_->blocks.end()) {
            throw Failure(ErrorCode::Internal, "There are no bytes of this number.");
        }
        source = std::make_shared<MemorySource>(found->second);
        tables_->blocks.erase(found);
    }
    const auto opened = std::make_shared<SavedSession>();
    const Flag cancelled = new_flag();
    return run_async<Nothing>(
        info.Env(), "r1.session.open",
        [engine, opened, source, file, cancelled, key = bytes_of(info[1], "key")] {
            step_back();
            *opened = engine->open_session(
                source != nullptr ? source : std::make_shared<FileSource>(file), key, *cancelled);
            return Nothing{};
        },
        [opened, tables = tables_](Napi::Env at, Nothing &) -> Napi::Value {
            const SavedSession & saved = *opened;
            const uint32_t id = tables->next++;
            tables->opened.emplace(id, opened);
            const Napi::Object result = Napi::Object::New(at);
            result.Set("saved", id);
            result.Set("head", Napi::String::New(at, saved.head));
            Napi::Int32Array tokens = Napi::Int32Array::New(at, saved.tokens.size());
            std::copy(saved.tokens.begin(), saved.tokens.end(), tokens.Data());
            result.Set("tokens", tokens);
            result.Set("problem", saved.problem);
            return result;
        },
        {[cancelled] { cancelled->store(true); }});
}

Napi::Value SessionCalls::restore(const Napi::CallbackInfo & info,
                                  const std::shared_ptr<Engine> & engine) {
    const auto found = tables_->opened.find(number_of(info[0], "saved"));
    if (found == tables_->opened.end()) {
        throw Failure(ErrorCode::Internal, "There is no opened session of this number.");
    }
    const Flag cancelled = new_flag();
    return run_async<Nothing>(
        info.Env(), "r1.session.restore",
        [engine, opened = found->second, session = session_of(info[1]), cancelled] {
            step_back();
            engine->restore_session(*opened, session, *cancelled);
            return Nothing{};
        },
        [](Napi::Env at, Nothing &) { return at.Undefined(); },
        {[cancelled] { cancelled->store(true); }});
}

void SessionCalls::close(const Napi::CallbackInfo & info) {
    tables_->opened.erase(number_of(info[0], "saved"));
}

}  // namespace r1
