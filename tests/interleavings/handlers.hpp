// Handlers on their way: that each is called once, never inside a call, and is gone afterwards.
//
// Owned by an explorer, and outlives its disk. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace slipstream::test {

class handlers
{
public:
	explicit handlers(std::function<void(std::string const&)> fail) : m_fail(std::move(fail)) {}

	// Captured by a handler, which says called().
	class end
	{
	public:
		end(end&&) = default;
		// std::function asks for it; a copy that is made is a handler that was copied.
		end(end const& other) : m_one(other.m_one), m_all(other.m_all) { if (m_one) ++m_one->times; }
		~end() { if (m_one) m_one->alive = false; }
		void called() const { m_all->was_called(*m_one); }

	private:
		friend class handlers;
		struct one
		{
			std::string name;
			int times = 0;
			bool alive = true;
		};
		end(std::shared_ptr<one> o, handlers& all) : m_one(std::move(o)), m_all(&all) {}
		std::shared_ptr<one> m_one;
		handlers* m_all;
	};

	[[nodiscard]] end promise(std::string name)
	{
		auto one = std::make_shared<end::one>();
		one->name = std::move(name);
		m_promised.push_back(one);
		++m_outstanding;
		return {std::move(one), *this};
	}

	// Makes a call during which no handler may come.
	template <typename Call>
	void inside(Call call)
	{
		bool const was = std::exchange(m_inside, true);
		call();
		m_inside = was;
	}

	// All that were promised must have come, and be gone.
	void judge() const
	{
		for (auto const& one : m_promised)
			if (one->times != 1 || one->alive)
				m_fail(one->name + ": its handler was called " + std::to_string(one->times) + " times, and is " + (one->alive ? "kept" : "gone"));
	}
	// How many have not come.
	[[nodiscard]] int outstanding() const { return m_outstanding; }

private:
	void was_called(end::one& one)
	{
		if (m_inside) m_fail(one.name + ": its handler ran inside a call");
		--m_outstanding;
		if (++one.times != 1) m_fail(one.name + ": its handler ran, or was copied, more than once");
	}

	std::function<void(std::string const&)> m_fail;
	std::vector<std::shared_ptr<end::one>> m_promised;
	int m_outstanding = 0;
	bool m_inside = false;
};

} // namespace slipstream::test
