// Failure: the one exception of native/core, with the stable code that JavaScript users match on.
// Any thread.
#pragma once

#include <stdexcept>
#include <string>

namespace r1 {

/** The codes native code can raise; the same words as R1ErrorCode in lib/base/errors.ts. */
enum class ErrorCode {
    InvalidArgument,
    TextTooLong,
    ModelLoadFailed,
    ModelUnsupported,
    CacheTypeUnsupported,
    OutOfMemory,
    ResourceExhausted,
    Aborted,
    Disposed,
    PromptTooLong,
    ContextFull,
    QueueFull,
    DecodeFailed,
    GrammarInvalid,
    StateInvalid,
    StateMismatch,
    NoSpace,
    IoFailed,
    QuantizeFailed,
    RpcInvalid,
    RpcServerFailed,
    Internal,
};

/** The code's text, e.g. "INVALID_ARGUMENT". Static storage. */
inline const char * error_code_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument: return "INVALID_ARGUMENT";
        case ErrorCode::TextTooLong: return "TEXT_TOO_LONG";
        case ErrorCode::ModelLoadFailed: return "MODEL_LOAD_FAILED";
        case ErrorCode::ModelUnsupported: return "MODEL_UNSUPPORTED";
        case ErrorCode::CacheTypeUnsupported: return "CACHE_TYPE_UNSUPPORTED";
        case ErrorCode::OutOfMemory: return "OUT_OF_MEMORY";
        case ErrorCode::ResourceExhausted: return "RESOURCE_EXHAUSTED";
        case ErrorCode::Aborted: return "ABORTED";
        case ErrorCode::Disposed: return "DISPOSED";
        case ErrorCode::PromptTooLong: return "PROMPT_TOO_LONG";
        case ErrorCode::ContextFull: return "CONTEXT_FULL";
        case ErrorCode::QueueFull: return "QUEUE_FULL";
        case ErrorCode::DecodeFailed: return "DECODE_FAILED";
        case ErrorCode::GrammarInvalid: return "GRAMMAR_INVALID";
        case ErrorCode::StateInvalid: return "STATE_INVALID";
        case ErrorCode::StateMismatch: return "STATE_MISMATCH";
        case ErrorCode::NoSpace: return "NO_SPACE";
        case ErrorCode::IoFailed: return "IO_FAILED";
        case ErrorCode::QuantizeFailed: return "QUANTIZE_FAILED";
        case ErrorCode::RpcInvalid: return "RPC_INVALID";
        case ErrorCode::RpcServerFailed: return "RPC_SERVER_FAILED";
        case ErrorCode::Internal: return "INTERNAL";
    }
    return "INTERNAL";
}

/**
 * A failure with its code. Never leaves a thread's top function, where it becomes an error event or
 * a rejected promise.
 */
class Failure : public std::runtime_error {
public:
    Failure(ErrorCode code, const std::string & message)
        : std::runtime_error(message), code_(code) {}
    ErrorCode code() const { return code_; }

private:
    ErrorCode code_;
};

/** The failure to throw when a std::thread cannot be started. */
inline Failure no_thread_left() {
    return Failure(ErrorCode::ResourceExhausted,
                   "The system gives no more threads. End other work, or raise the limit of "
                   "processes and threads (ulimit -u, pids of the container) or of address space, "
                   "and try again.");
}

}  // namespace r1
