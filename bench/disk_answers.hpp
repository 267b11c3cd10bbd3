// What disk_works.cpp and disk_mixture.cpp make of a disk's answers: a wrong one throws.
#pragma once

#include <libtorrent/disk_interface.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace slipstream::bench {

// Beyond what the work writes.
constexpr std::int64_t headroom_bytes = std::int64_t{64} << 20;

[[noreturn]] inline void wrong(std::string const& what) { throw std::runtime_error("wrong answer: " + what); }

inline void must(lt::storage_error const& e, char const* const what)
{ if (e) wrong(std::string(what) + ": " + e.ec.message()); }

} // namespace slipstream::bench
