#include <slipstream_binding/settings.hpp>

#include "guard.hpp"

#include <libtorrent/settings_pack.hpp>

#include <limits>

namespace slipstream::binding {

namespace {

using lt_pack = lt::settings_pack;

// The type of a setting, and its number; -1 for one that is not had. Names that libtorrent 2 keeps
// for its ABI alone are not had: setting them does nothing.
int number_of(std::string const& name)
{
	int const number = lt::setting_by_name(name);
	if (number < 0) return -1;
	static constexpr char const* const without_effect[] = {
#include "settings_without_effect.inc"
	};
	for (char const* const no : without_effect)
		if (name == no) return -1;
	return number;
}

char const* type_text(int const number)
{
	if (number < 0) return "";
	switch (number & lt_pack::type_mask)
	{
		case lt_pack::string_type_base: return "string";
		case lt_pack::int_type_base: return "int";
		case lt_pack::bool_type_base: return "bool";
		default: return "";
	}
}

int find(std::string const& name, int const type)
{
	int const number = number_of(name);
	if (number < 0) fail(fault_unknown_setting, "libtorrent has no setting \"" + name + "\"");
	if ((number & lt_pack::type_mask) != type)
		fail(fault_unknown_setting, "the setting \"" + name + "\" is of type " + type_text(number));
	return number;
}

// The least values of those settings with which libtorrent 2.0.8 crashes below it.
void check_range(std::string const& name, std::int64_t const value)
{
	struct least { char const* name; int value; };
	static constexpr least const bounds[] = {
#include "settings_bounds.inc"
	};
	for (auto const& b : bounds)
		if (name == b.name && value < b.value)
			fail(fault_bad_argument, "the setting \"" + name + "\" is " + std::to_string(b.value) + " or more, not " + std::to_string(value));
}

} // namespace

settings::settings() : m_pack(std::make_unique<lt_pack>()) {}
settings::~settings() = default;
settings::settings(settings const& other) : m_pack(std::make_unique<lt_pack>(*other.m_pack)) {}
settings& settings::operator=(settings const& other)
{
	*m_pack = *other.m_pack;
	return *this;
}
settings::settings(lt_pack const& p) : m_pack(std::make_unique<lt_pack>(p)) {}

bool settings::has(std::string const& name)
{ return guarded_or(false, [&] { return number_of(name) >= 0; }); }

std::string settings::type_of(std::string const& name)
{ return guarded_or(std::string(), [&] { return std::string(type_text(number_of(name))); }); }

std::vector<std::string> settings::names()
{
	return guarded_or(std::vector<std::string>(), [] {
		std::vector<std::string> result;
		auto const collect = [&](int const base, int const count) {
			for (int i = base; i < base + count; ++i)
			{
				char const* const name = lt::name_for_setting(i);
				if (name && *name && number_of(name) == i) result.emplace_back(name);
			}
		};
		collect(lt_pack::string_type_base, lt_pack::num_string_settings);
		collect(lt_pack::int_type_base, lt_pack::num_int_settings);
		collect(lt_pack::bool_type_base, lt_pack::num_bool_settings);
		return result;
	});
}

void settings::set_int(std::string const& name, std::int64_t const value, outcome& out)
{
	guarded(out, [&] {
		int const number = find(name, lt_pack::int_type_base);
		if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
			fail(fault_bad_argument, "the setting \"" + name + "\" takes 32 bits, which " + std::to_string(value) + " does not fit");
		check_range(name, value);
		m_pack->set_int(number, static_cast<int>(value));
	});
}

void settings::set_bool(std::string const& name, bool const value, outcome& out)
{ guarded(out, [&] { m_pack->set_bool(find(name, lt_pack::bool_type_base), value); }); }

void settings::set_str(std::string const& name, std::string const& value, outcome& out)
{ guarded(out, [&] { m_pack->set_str(find(name, lt_pack::string_type_base), value); }); }

std::int64_t settings::get_int(std::string const& name, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		int const number = find(name, lt_pack::int_type_base);
		return m_pack->has_val(number) ? m_pack->get_int(number) : lt::default_settings().get_int(number);
	});
}

bool settings::get_bool(std::string const& name, outcome& out) const
{
	return guarded(out, [&] {
		int const number = find(name, lt_pack::bool_type_base);
		return m_pack->has_val(number) ? m_pack->get_bool(number) : lt::default_settings().get_bool(number);
	});
}

std::string settings::get_str(std::string const& name, outcome& out) const
{
	return guarded(out, [&] {
		int const number = find(name, lt_pack::string_type_base);
		return m_pack->has_val(number) ? m_pack->get_str(number) : lt::default_settings().get_str(number);
	});
}

} // namespace slipstream::binding
