// Fields: reads a complete, flat JavaScript object. A missing or wrong field is a TypeError, never
// a crash. JavaScript thread.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace r1 {

class Fields {
public:
    /**
     * `what` names the object in errors, e.g. "request". Throws a TypeError if `value` is not an
     * object.
     */
    Fields(const Napi::Value & value, std::string what);

    Napi::Value value(const char * name) const;
    std::string text(const char * name) const;
    bool flag(const char * name) const;
    double number(const char * name) const;
    float real(const char * name) const { return static_cast<float>(number(name)); }
    int64_t integer(const char * name, int64_t min, int64_t max) const;
    int32_t int32(const char * name, int32_t min = INT32_MIN, int32_t max = INT32_MAX) const {
        return static_cast<int32_t>(integer(name, min, max));
    }
    uint32_t uint32(const char * name, uint32_t max = UINT32_MAX) const {
        return static_cast<uint32_t>(integer(name, 0, max));
    }
    std::vector<int32_t> ids(const char * name) const;
    std::vector<float> reals(const char * name) const;
    std::vector<std::string> texts(const char * name) const;
    std::vector<Fields> objects(const char * name) const;
    Fields object(const char * name) const;

private:
    [[noreturn]] void refuse(const char * name, const char * expected) const;
    Napi::Array list(const char * name) const;

    Napi::Object object_;
    std::string what_;
};

/** Contents of an Int32Array argument. Throws a TypeError naming `what` otherwise. */
std::vector<int32_t> ids_of(const Napi::Value & value, const std::string & what);

/** A string argument. Throws a TypeError naming `what` otherwise. */
std::string text_of(const Napi::Value & value, const std::string & what);

}  // namespace r1
