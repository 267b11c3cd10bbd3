#include "cli/help_format.hpp"

namespace slipstream::cli {
namespace {

constexpr std::size_t left_columns = 30;
constexpr std::size_t right_columns = 68;

class format : public CLI::Formatter
{
public:
	format()
	{
		column_width(left_columns);
		label("SUBCOMMAND", "COMMAND");
		label("Positionals", "Arguments");
		label("REQUIRED", "");
	}

	std::string make_option_desc(CLI::Option const* const option) const override
	{
		return wrapped(CLI::Formatter::make_option_desc(option), right_columns);
	}

	// cppcheck-suppress passedByValue ; CLI11's signature
	std::string make_usage(CLI::App const* const app, std::string const name) const override
	{
		bool const is_command = app->get_parent() != nullptr;
		return CLI::Formatter::make_usage(app, is_command ? app->get_parent()->get_name() + ' ' + name : name);
	}
};

} // namespace

std::shared_ptr<CLI::Formatter> help_format() { return std::make_shared<format>(); }

std::string wrapped(std::string const& text, std::size_t const columns)
{
	std::string out;
	std::size_t used = 0;
	for (std::size_t at = 0; at < text.size();)
	{
		std::size_t const end = std::min(text.find(' ', at), text.size());
		std::size_t const length = end - at;
		if (used > 0 && used + 1 + length > columns)
		{
			out += '\n';
			used = 0;
		}
		else if (used > 0)
		{
			out += ' ';
			++used;
		}
		out.append(text, at, length);
		used += length;
		at = end + 1;
	}
	return out;
}

} // namespace slipstream::cli
