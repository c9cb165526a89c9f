package store

import "context"

// Singly has apply store a list as a whole, and if the database refuses that, one by one: what it refuses of one, as a
// text that is too long for its column, is not to keep the others from being stored. refused is told of those. With all
// refused it is the database that fails, and the error of the whole is returned, unless it is Refused for each.
func Singly[T any](ctx context.Context, list []T, apply func(context.Context, []T) error, refused func(x *T, err error)) error {
	together := apply(ctx, list)
	if together == nil || Unreachable(together) {
		return together
	}
	type bad struct {
		x   *T
		err error
	}
	var all []bad
	rows := 0 // of all, for their values
	for i := range list {
		err := together
		if len(list) > 1 {
			err = apply(ctx, list[i:i+1])
		}
		if err == nil {
			continue
		}
		if Unreachable(err) || ctx.Err() != nil {
			return together
		}
		all = append(all, bad{&list[i], err})
		if Refused(err) {
			rows++
		}
	}
	if len(all) == len(list) && rows < len(all) {
		return together
	}
	for _, b := range all {
		refused(b.x, b.err)
	}
	return nil
}
