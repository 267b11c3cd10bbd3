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

	struct call
	{
		std::string name;
		int times = 0; // its handler came
		bool alive = true;
	};

	// Captured by a handler, which says called().
	class end
	{
	public:
		end(end&&) = default;
		// std::function asks for it; a copy that is made is a handler that was copied.
		end(end const& other) : m_call(other.m_call), m_all(other.m_all) { if (m_call) ++m_call->times; }
		~end() { if (m_call) m_call->alive = false; }
		void called() const { m_all->was_called(*m_call); }
		[[nodiscard]] std::shared_ptr<call const> of() const { return m_call; }

	private:
		friend class handlers;
		end(std::shared_ptr<call> c, handlers& all) : m_call(std::move(c)), m_all(&all) {}
		std::shared_ptr<call> m_call;
		handlers* m_all;
	};

	[[nodiscard]] end promise(std::string name)
	{
		auto c = std::make_shared<call>();
		c->name = std::move(name);
		m_promised.push_back(c);
		++m_outstanding;
		return {std::move(c), *this};
	}

	// Makes a call during which no handler may come.
	template <typename Make>
	void inside(Make make)
	{
		bool const was = std::exchange(m_inside, true);
		make();
		m_inside = was;
	}

	// All that were promised must have come, and be gone.
	void judge() const
	{
		for (auto const& c : m_promised)
			if (c->times != 1 || c->alive)
				m_fail(c->name + ": its handler was called " + std::to_string(c->times) + " times, and is " + (c->alive ? "kept" : "gone"));
	}
	// How many have not come.
	[[nodiscard]] int outstanding() const { return m_outstanding; }

private:
	void was_called(call& c)
	{
		if (m_inside) m_fail(c.name + ": its handler ran inside a call");
		--m_outstanding;
		if (++c.times != 1) m_fail(c.name + ": its handler ran, or was copied, more than once");
	}

	std::function<void(std::string const&)> m_fail;
	std::vector<std::shared_ptr<call>> m_promised;
	int m_outstanding = 0;
	bool m_inside = false;
};

} // namespace slipstream::test
