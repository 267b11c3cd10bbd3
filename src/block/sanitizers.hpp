// Which sanitizer the program is built with. GCC defines a macro for each, Clang has a feature.
#pragma once

#if defined(__has_feature)
#define SLIPSTREAM_HAS_FEATURE(name) __has_feature(name)
#else
#define SLIPSTREAM_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SLIPSTREAM_HAS_FEATURE(address_sanitizer)
#define SLIPSTREAM_ADDRESS_SANITIZER
#endif
#if defined(__SANITIZE_THREAD__) || SLIPSTREAM_HAS_FEATURE(thread_sanitizer)
#define SLIPSTREAM_THREAD_SANITIZER
#endif
