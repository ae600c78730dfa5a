// Rpc: both ends of llama.cpp's RPC backend: uses devices of other machines, and lends this
// machine's devices. Runs on separate threads: both ends wait on sockets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace r1::rpc {

struct ServerConfig {
    std::string host;
    uint32_t port = 0;
    /** Threads of the CPU device. */
    uint32_t threads = 1;
    /** Names; empty: every GPU, else the CPU. */
    std::vector<std::string> devices;
    /** Folder in which large tensors are kept; empty: none. */
    std::string cache_dir;
};

/**
 * Registers the devices of the servers ("host:port") in this order; they come before local devices
 * in llama.cpp's choice. This cannot be undone. Throws RpcInvalid for a server without devices. A
 * server that refuses, or stops answering later, ends the process: probe it first, and use a child
 * process.
 */
void connect(const std::vector<std::string> & endpoints);

/**
 * Serves until the process ends, one client at a time. Returns only by throwing: RpcServerFailed
 * when it cannot start or continue, InvalidArgument.
 */
void serve(const ServerConfig & config);

}  // namespace r1::rpc
