package securities

import (
	"cmp"
	"math"
	"slices"
)

// A rise is at least twice what is to be expected, and so much that it comes by
// chance with less than this probability.
const rareRise = 1e-4

// Rise is a security that more posts name than is to be expected.
type Rise struct {
	Count
	Before   int     `json:"before"`   // posts that named it before
	Expected float64 `json:"expected"` // posts, by these
	// Chance is the probability that as many posts or more name it where nothing
	// has changed.
	Chance float64 `json:"chance"`
}

// Rising returns the companies, or boards, that more posts of now name than those
// before let expect, the least likely first.
//
// What share of the posts names a security is taken for Gamma distributed, as
// [github.com/finarc/finarc/revisit] takes the rates of pages: with k of n posts
// before, shape ½ + k and rate ½/m + n, m being the mean share of all securities. Of
// N posts now then as many name it as a negative binomial distribution says, whose
// mean is N(½ + k)/(½/m + n): it is wider than Poisson's where little is known. The
// measure is posts, not hours, so that a weekend is compared with a week.
func Rising(now, before *Survey, boards bool) []Rise {
	list := now.Counts(boards)
	usual := before.Counts(boards)
	if before.Posts == 0 || len(usual) == 0 {
		return nil
	}
	total := 0
	for i := range usual {
		total += usual[i].Posts
	}
	prior := float64(len(usual)) * float64(before.Posts) / (2 * float64(total)) // ½/m
	var rises []Rise
	for _, c := range list {
		k := before.Of(c.Security).Posts
		shape, rate := 0.5+float64(k), prior+float64(before.Posts)
		r := Rise{Count: c, Before: k, Expected: float64(now.Posts) * shape / rate}
		r.Chance = atLeast(c.Posts, shape, r.Expected)
		if float64(c.Posts) >= 2*r.Expected && r.Chance < rareRise {
			rises = append(rises, r)
		}
	}
	slices.SortStableFunc(rises, func(a, b Rise) int { return cmp.Compare(a.Chance, b.Chance) })
	return rises
}

// atLeast returns the probability that a negative binomial distribution with a shape
// and a mean has n or more. n is above the mean where this is of use.
func atLeast(n int, shape, mean float64) float64 {
	if n <= 0 {
		return 1
	}
	q := mean / (shape + mean)
	term := lgamma(float64(n)+shape) - lgamma(shape) - lgamma(float64(n)+1) + shape*math.Log1p(-q) + float64(n)*math.Log(q)
	sum, factor := 1.0, 1.0
	for k := float64(n); factor > 1e-17*sum; k++ {
		factor *= q * (k + shape) / (k + 1)
		sum += factor
	}
	return min(1, math.Exp(term)*sum)
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
