package intake

import "iter"

// Ahead runs seq in a goroutine of its own, up to n elements ahead.
func Ahead[T any](seq iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	type element struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		elements, stop := make(chan element, n), make(chan struct{})
		go func() {
			defer close(elements)
			for value, err := range seq {
				select {
				case elements <- element{value, err}:
				case <-stop:
					return
				}
			}
		}()
		defer func() {
			close(stop)
			for range elements { // until seq has ended
			}
		}()
		for e := range elements {
			if !yield(e.value, e.err) {
				return
			}
		}
	}
}
