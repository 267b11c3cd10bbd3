#include "hostile/wire.hpp"

#include <bit>
#include <stdexcept>

namespace slipstream::test::wire {

namespace {

constexpr std::string_view protocol = "\x13" "BitTorrent protocol";
constexpr std::size_t reserved_at = 20;
constexpr char extensions_bit = 0x10; // of the sixth reserved byte (BEP 10)
constexpr char fast_bit = 0x04;       // of the eighth (BEP 6)
constexpr char v2_bit = 0x10;         // likewise (BEP 52)

void put(std::string& to, std::uint32_t const n)
{
	for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(n >> shift);
}

std::string head(id const m, std::size_t const payload_bytes)
{
	std::string o;
	put(o, static_cast<std::uint32_t>(payload_bytes + 1));
	o += static_cast<char>(m);
	return o;
}

} // namespace

std::string handshake(std::string_view const hash, std::string_view const peer_id, bool const fast, bool const v2)
{
	std::string o(protocol);
	o.append(8, '\0');
	o[reserved_at + 5] = extensions_bit;
	o[reserved_at + 7] = static_cast<char>((fast ? fast_bit : 0) | (v2 ? v2_bit : 0));
	o += hash;
	o += peer_id;
	if (o.size() != handshake_bytes) throw std::logic_error("a handshake has 68 bytes");
	return o;
}

bool says_fast(std::string_view const h) { return (h.at(reserved_at + 7) & fast_bit) != 0; }
bool says_extensions(std::string_view const h) { return (h.at(reserved_at + 5) & extensions_bit) != 0; }

std::string message(id const m, std::string_view const payload)
{
	std::string o = head(m, payload.size());
	o += payload;
	return o;
}

std::string message(id const m, block const& b)
{
	std::string o = head(m, 12);
	for (int const n : {b.piece, b.start, b.length}) put(o, static_cast<std::uint32_t>(n));
	return o;
}

std::string piece_message(block const& b, std::string_view const bytes)
{
	std::string o = head(piece, 8 + bytes.size());
	for (int const n : {b.piece, b.start}) put(o, static_cast<std::uint32_t>(n));
	o += bytes;
	return o;
}

std::string hashes_message(std::string_view const root, int const first_block, std::vector<std::string> const& of_blocks)
{
	std::string o(root);
	auto const count = static_cast<std::uint32_t>(of_blocks.size());
	put(o, 0); // the layer of the blocks
	put(o, static_cast<std::uint32_t>(first_block));
	put(o, count);
	// Layers of proof, of which those that follow from the hashes themselves are left out: no other is said to be there.
	put(o, static_cast<std::uint32_t>(std::bit_width(count) - 2));
	for (auto const& hash : of_blocks) o += hash;
	return message(hashes, o);
}

std::string full_bitfield(int const num_pieces)
{
	std::string bits(static_cast<std::size_t>((num_pieces + 7) / 8), '\xff');
	if (num_pieces % 8 != 0) bits.back() = static_cast<char>(0xff << (8 - num_pieces % 8));
	return message(bitfield, bits);
}

std::string extension_handshake(bool const dont_have)
{
	std::string const names = dont_have ? "11:lt_donthavei" + std::to_string(dont_have_id) + "e" : "";
	return message(extended, std::string(1, '\0') + "d1:md" + names + "e1:pi" + std::to_string(said_port) + "e1:v13:scripted peere");
}

std::string second_extension_handshake() { return message(extended, std::string(1, '\0') + "d4:reqqi250ee"); }

int read_int(std::string_view const payload, std::size_t const at)
{
	if (payload.size() < at + 4) throw std::runtime_error("a message is too short");
	std::uint32_t n = 0;
	for (std::size_t i = at; i < at + 4; ++i) n = n << 8 | static_cast<std::uint8_t>(payload[i]);
	return static_cast<int>(n);
}

block read_block(std::string_view const payload) { return {read_int(payload, 0), read_int(payload, 4), read_int(payload, 8)}; }

} // namespace slipstream::test::wire
