// Registers the addon's classes; nothing else. Runs on the JavaScript thread of each environment.
#include <napi.h>
static Napi::Object Init(Napi::Env env, Napi::Object exports) { (void)env; return exports; }
NODE_API_MODULE(r1_native, Init)
