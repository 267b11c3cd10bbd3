package slipstream

import (
	"math"

	"slipstream/internal/native"
)

func stringsOf(list native.String_list) []string {
	result := make([]string, list.Size())
	for i := range result {
		result[i] = list.Get(i)
	}
	return result
}

func int64sOf(list native.Int64_list) []int64 {
	result := make([]int64, list.Size())
	for i := range result {
		result[i] = list.Get(i)
	}
	return result
}

func intsOf(list native.Int_list) []int {
	result := make([]int, list.Size())
	for i := range result {
		result[i] = list.Get(i)
	}
	return result
}

// int32sOf keeps what does not fit 32 bits outside every range, as it is.
func int32sOf(values []int) []int32 {
	result := make([]int32, len(values))
	for i, v := range values {
		result[i] = int32(clamp32(v))
	}
	return result
}

func clamp32(v int) int {
	if v > math.MaxInt32 {
		return math.MaxInt32
	}
	if v < math.MinInt32 {
		return math.MinInt32
	}
	return v
}
