package archive

import (
	"bytes"
	"context"
	"maps"
	"slices"
)

// repairEntries is how many entries of the indexes are gone through one by one at
// a time, about: some 50 MB.
const repairEntries = 1 << 20

// indexes makes the indexes again where they are not as the records tell. Which
// lists these are is found as verify does.
func (r *repair) indexes(ctx context.Context) error {
	renamed := r.renamed || r.found[FoundTerm] > 0
	if !renamed && !r.reindex && r.found[FoundIndex] == 0 {
		return nil
	}
	if renamed {
		if err := r.rename(ctx); err != nil {
			return err
		}
	}
	v, err := newVerifier(r.a, nil)
	if err != nil {
		return err
	}
	if err := v.begin(ctx); err != nil {
		return err
	}
	if err := v.records(ctx); err != nil {
		return err
	}
	if err := r.unreadableLists(ctx, v); err != nil {
		return err
	}
	most := max(1, int(indexParts*repairEntries/max(v.report.Entries, repairEntries)))
	for part := range slices.Chunk(v.index.differ(), most) {
		if err := r.rightLists(ctx, v, part); err != nil {
			return err
		}
	}
	if r.relisted+r.unlisted > 0 {
		r.tell("made the indexes again where they were wrong: %d lists, and removed %d that could not be read", r.relisted, r.unlisted)
	}
	return nil
}

// rename gives numbers to the terms of records that have none.
func (r *repair) rename(ctx context.Context) error {
	without := make(map[string]bool)
	err := r.each(ctx, bucketRevisions, func(t *tx, k, stored []byte) error {
		return t.recordsOf(k, stored, func(_ uint64, rec *record) error {
			for _, text := range termsOf(rec) {
				if t.number(text) == 0 {
					without[text] = true
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return portions(ctx, r.a, slices.Sorted(maps.Keys(without)), func(t *tx, text string) error {
		_, err := t.termNumber(text)
		return err
	})
}

// unreadableLists removes the lists that cannot be read. What should be in them is
// missing by then, as in others.
func (r *repair) unreadableLists(ctx context.Context, v *verifier) error {
	var broken []placed
	err := v.sumLists(ctx, func(bucket, key []byte, _ error) {
		broken = append(broken, placed{bucket, bytes.Clone(key)})
	})
	if err != nil {
		return err
	}
	return portions(ctx, r.a, broken, func(t *tx, at placed) error {
		stored := t.Bucket(at.bucket).Get(at.key)
		if _, _, err := t.list64(at.bucket, at.key, stored); stored == nil || err == nil {
			return nil
		}
		r.unlisted++
		return t.delete(at.bucket, at.key)
	})
}

// rightLists puts the lists of some parts right.
func (r *repair) rightLists(ctx context.Context, v *verifier, parts []int) error {
	entries, err := v.misplaced(ctx, parts)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, listed64.compare)
	var lists [][]listed64
	for len(entries) > 0 {
		end := 1
		for end < len(entries) && entries[end].list == entries[0].list {
			end++
		}
		lists, entries = append(lists, entries[:end]), entries[end:]
	}
	return portions(ctx, r.a, lists, r.rightList)
}

// rightList puts a list right, given the entries that may be missing from it or
// that may have to go.
func (r *repair) rightList(t *tx, entries []listed64) error {
	change := new(chunkChange)
	is := t.stored(entries[0].list)
	for _, of := range entries {
		switch should := t.shouldStand(of); {
		case should && !is[of.entry]:
			change.add = append(change.add, of.entry)
		case !should && is[of.entry]:
			change.remove = append(change.remove, of.entry)
		}
	}
	if len(change.add)+len(change.remove) == 0 {
		return nil
	}
	r.relisted++
	term, number := entries[0].list.split()
	bucket, key := bucketTimes, appendChunk(nil, number)
	if term != 0 {
		bucket, key = t.listAt(term, number)
	}
	return t.applyTo(bucket, key, change)
}
