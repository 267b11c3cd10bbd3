// Sizes, addresses, and what /proc says.
#include "cli/address.hpp"
#include "cli/auth_file.hpp"
#include "cli/disk_writes.hpp"
#include "cli/size.hpp"
#include "engine/address_text.hpp"

#include <slipstream/extent.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace slipstream::cli {
namespace {

std::int64_t size_of(std::string_view const text)
{
	expected<std::int64_t> const size = parse_bytes(text);
	return size ? *size : -1;
}

TEST(size, is_read_in_units_of_1024_and_of_1000)
{
	EXPECT_EQ(size_of("256MiB"), 256 << 20);
	EXPECT_EQ(size_of("1GiB"), 1 << 30);
	EXPECT_EQ(size_of("512MB"), 512'000'000);
	EXPECT_EQ(size_of("1048576"), 1 << 20);
	EXPECT_EQ(size_of("64 kib"), 64 << 10);
	EXPECT_EQ(size_of("3kB"), 3000);
	EXPECT_EQ(size_of("7B"), 7);
	EXPECT_EQ(size_of("2TiB"), std::int64_t{2} << 40);
	EXPECT_EQ(size_of("0"), 0);
	EXPECT_EQ(size_of("9223372036854775807"), 9223372036854775807);
}

TEST(size, that_is_none_says_what_would_be)
{
	for (char const* const text : {"", " ", "MiB", "-1", "+1", "1.5GiB", "256M", "1 XB", "1MiBs", "0x10"
		, "9223372036854775808", "9007199254740993TiB", "99999999999999999999", "256MiB ", "\n1"})
	{
		expected<std::int64_t> const size = parse_bytes(text);
		ASSERT_FALSE(size) << text;
		EXPECT_NE(size.error().detail.find("256MiB"), std::string::npos) << size.error().detail;
	}
}

TEST(size, is_said_in_the_unit_that_fits)
{
	EXPECT_EQ(size_text(0), "0 bytes");
	EXPECT_EQ(size_text(1023), "1023 bytes");
	EXPECT_EQ(size_text(1 << 20), "1.0 MiB");
	EXPECT_EQ(size_text((256 << 20) + (512 << 10)), "256.5 MiB");
}

TEST(address, is_read_and_said_alike)
{
	for (char const* const text : {"127.0.0.1:8090", "0.0.0.0:0", "[::1]:8090", "[::]:65535"
		, "[2001:db8::1]:1"})
	{
		auto const address = parse_address(text);
		ASSERT_TRUE(address) << text;
		EXPECT_EQ(endpoint_text(*address), text);
	}
}

TEST(address, that_is_none_says_what_would_be)
{
	for (char const* const text : {"", ":", "127.0.0.1", "127.0.0.1:", ":8090", "127.0.0.1:65536"
		, "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:x", "127.0.0.1:80x", "::1:8090", "[::1]", "[::1]8090"
		, "[127.0.0.1]:80", "256.0.0.1:80", "localhost:80", "[]:1", " 127.0.0.1:80"})
	{
		auto const address = parse_address(text);
		ASSERT_FALSE(address) << text;
		EXPECT_NE(address.error().detail.find("127.0.0.1:8090"), std::string::npos);
	}
}

TEST(address, as_a_url_for_this_machine_is_one_that_can_be_opened)
{
	EXPECT_EQ(url_of(*parse_address("0.0.0.0:80")), "http://0.0.0.0:80");
	EXPECT_EQ(local_url_of(*parse_address("0.0.0.0:80")), "http://127.0.0.1:80");
	EXPECT_EQ(local_url_of(*parse_address("[::]:80")), "http://[::1]:80");
	EXPECT_EQ(local_url_of(*parse_address("10.0.0.1:80")), "http://10.0.0.1:80");
	EXPECT_EQ(local_url_of(*parse_address("[::]:80"), true), "https://[::1]:80");
}

TEST(disk_writes, are_the_line_of_that_name)
{
	EXPECT_EQ(write_bytes_in("syscw: 3\nread_bytes: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n"), 4096);
	EXPECT_EQ(write_bytes_in("cancelled_write_bytes: 7\n"), std::nullopt);
	EXPECT_EQ(write_bytes_in("\nwrite_bytes: x"), std::nullopt);
	EXPECT_EQ(write_bytes_in(""), std::nullopt);
}

// What is read from a file with this text; the message when it cannot be used.
std::vector<std::string> users_in(std::string const& text)
{
	std::string path = (std::filesystem::temp_directory_path() / "slipstream-auth-XXXXXX").string();
	close(mkstemp(path.data()));
	std::ofstream(path) << text;
	std::vector<std::string> users;
	try { users = read_auth_file(path); }
	catch (std::runtime_error const& e) { users = {std::string(e.what()).substr(path.size())}; }
	std::filesystem::remove(path);
	return users;
}

TEST(auth_file, has_a_user_on_each_line)
{
	using strings = std::vector<std::string>;
	EXPECT_EQ(users_in("# who may come in\na:b\n\nanna:p: #x\r\nlast:one"), (strings{"a:b", "anna:p: #x", "last:one"}));
	EXPECT_EQ(users_in("a:b\nsecret\n"), strings{": line 2 is not USER:PASSWORD"});
	EXPECT_TRUE(users_in("# nobody\n").at(0).starts_with(": has no USER:PASSWORD"));
	EXPECT_THROW((void)read_auth_file("/no/such/file"), std::runtime_error);
}

} // namespace
} // namespace slipstream::cli
