// What sanitizers' builds watch: that no thread takes a lock while it holds another. Compiled with that switched on, alone.
#include "block/mutex.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

using namespace slipstream;

namespace {

// Not analysed: what is shown here is what the analysis would not let pass.
void take(mutex& m) SLIPSTREAM_ANNOTATE(no_thread_safety_analysis) { m.lock(); }

TEST(locks, of_a_thread_come_one_after_the_other)
{
	mutex a;
	mutex b;
	for (int i = 0; i < 3; ++i)
	{
		{ mutex_lock const lock(a); }
		{ mutex_lock const lock(b); }
	}
	mutex_lock const lock(a);
	std::thread([&] { mutex_lock const other(b); }).join();
}

TEST(locks, that_are_outer_ones_may_be_held_while_an_inner_one_is_taken)
{
	mutex around(mutex::rank::outer);
	mutex a;
	mutex_lock const lock(around);
	{ mutex_lock const inner(a); }
	{ mutex_lock const inner(a); }
}

TEST(locks, are_let_go_while_a_condition_is_waited_for)
{
	mutex a;
	mutex b;
	std::condition_variable_any changed;
	bool so = false;
	std::thread other;
	{
		mutex_lock const lock(a);
		other = std::thread([&] {
			mutex_lock const inside(a);
			so = true;
			changed.notify_one();
		});
		while (!so) changed.wait(a);
	}
	other.join();
	mutex_lock const lock(b);
}

using locks_death = ::testing::Test;

TEST_F(locks_death, a_second_one_ends_the_program)
{
	mutex a;
	mutex b;
	mutex_lock const lock(a);
	EXPECT_DEATH(take(b), "no lock is taken while another is held");
}

TEST_F(locks_death, an_outer_one_comes_first)
{
	mutex around(mutex::rank::outer);
	mutex other(mutex::rank::outer);
	mutex a;
	{
		mutex_lock const lock(a);
		EXPECT_DEATH(take(around), "no lock is taken while another is held");
	}
	mutex_lock const lock(other);
	EXPECT_DEATH(take(around), "no lock is taken while another is held");
	mutex_lock const inner(a);
	mutex b;
	EXPECT_DEATH(take(b), "no lock is taken while another is held");
}

} // namespace
