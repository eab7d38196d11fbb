package config

import (
	"maps"
	"slices"
)

// nearest returns the known name that s was probably meant to be, or "" where
// none is near: within two slips, and within a third of its letters.
func nearest[V any](s string, known map[string]V) string {
	best, least := "", 3
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if n := slips(s, name); n < least && n*3 <= max(len(name), 3) {
			best, least = name, n
		}
	}
	return best
}

// slips returns the Levenshtein distance of a and b in bytes.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
