#include "cli/auth_file.hpp"

#include "http/credentials.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace slipstream::cli {

std::vector<std::string> read_auth_file(std::string const& path)
{
	// Each request is compared with all of them.
	constexpr std::size_t most = 1000;
	std::ifstream in(path);
	if (!in) throw std::runtime_error(path + ": cannot be read");
	std::vector<std::string> users;
	std::string line;
	for (int number = 1; std::getline(in, line); ++number)
	{
		if (line.ends_with('\r')) line.pop_back();
		if (line.empty() || line.front() == '#') continue;
		if (!http::is_credentials(line)) throw std::runtime_error(fmt::format("{}: line {} is not USER:PASSWORD", path, number));
		if (users.size() == most) throw std::runtime_error(fmt::format("{}: more than {} users", path, most));
		users.push_back(std::move(line));
	}
	if (in.bad()) throw std::runtime_error(path + ": cannot be read");
	if (users.empty()) throw std::runtime_error(path + ": has no USER:PASSWORD in it: nobody could come in");
	return users;
}

} // namespace slipstream::cli
