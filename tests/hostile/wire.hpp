// The BitTorrent wire protocol, as much of it as a scripted peer speaks: BEP 3, BEP 6 (fast), BEP 10 (extensions) and
// BEP 54 (lt_donthave). Bytes in, bytes out: no sockets, no state, any thread. Nothing of libtorrent's or of
// Slipstream's makes or reads these messages, but for the dictionary of an extension handshake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::test::wire {

enum id : std::uint8_t
{
	choke = 0, unchoke = 1, interested = 2, not_interested = 3, have = 4, bitfield = 5, request = 6, piece = 7, cancel = 8,
	have_all = 14, have_none = 15, reject = 16, // BEP 6
	extended = 20,                              // BEP 10
	hash_request = 21, hashes = 22, hash_reject = 23, // BEP 52
};

inline constexpr std::size_t handshake_bytes = 68;
// The number we give lt_donthave in our extension handshake (BEP 10): what others then call it.
inline constexpr std::uint8_t dont_have_id = 7;
// Where we say that we listen, which we do not. libtorrent forgets at once who says nothing, bans included.
inline constexpr int said_port = 9;

// One block, as requests and rejects name it.
struct block
{
	int piece = 0;
	int start = 0;
	int length = 0;
	auto operator<=>(block const&) const = default;
};

// `hash`: 20 bytes, v1 or truncated v2.
[[nodiscard]] std::string handshake(std::string_view hash, std::string_view peer_id, bool fast, bool v2 = false);
[[nodiscard]] bool says_fast(std::string_view handshake);
[[nodiscard]] bool says_extensions(std::string_view handshake);

[[nodiscard]] std::string message(id m, std::string_view payload = {});
[[nodiscard]] std::string message(id m, block const& b); // request, cancel, reject
[[nodiscard]] std::string piece_message(block const& b, std::string_view bytes);
// The hashes of the blocks [first_block, + the number of them) of a file whose tree has this root, with no proof: for who
// knows the hash of what they make up. A power of two of them. BEP 52.
[[nodiscard]] std::string hashes_message(std::string_view root, int first_block, std::vector<std::string> const& of_blocks);
// Everything, for peers without have_all.
[[nodiscard]] std::string full_bitfield(int num_pieces);
[[nodiscard]] std::string extension_handshake(bool dont_have);
// A later one, that changes nothing about the messages: it does not repeat their names.
[[nodiscard]] std::string second_extension_handshake();

// `at` bytes into a payload; throw std::runtime_error when there are too few.
[[nodiscard]] int read_int(std::string_view payload, std::size_t at);
[[nodiscard]] block read_block(std::string_view payload);

} // namespace slipstream::test::wire
