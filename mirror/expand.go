package mirror

// symbol appends one of the symbol's phrases, or what the article wrote for it
// before.
func (a *author) symbol(dst []byte, id int) []byte {
	if n := a.symbols[id].echoes; n > 0 && a.dice.IntN(2) == 0 {
		return a.echo(dst, id, a.dice.IntN(n))
	}
	return a.phrase(dst, a.choose(id))
}

// echo appends the k-th of the ways in which the article writes a symbol again
// and again. They are not kept: the same seed writes the same words.
func (a *author) echo(dst []byte, id, k int) []byte {
	saved, echoing := *a.pcg, a.echoing
	a.pcg.Seed(a.key, uint64(id)<<8|uint64(k))
	a.echoing = true
	dst = a.phrase(dst, a.choose(id))
	*a.pcg, a.echoing = saved, echoing
	return dst
}

func (a *author) phrase(dst []byte, p phrase) []byte {
	for _, t := range p {
		switch t.kind {
		case tokenText:
			dst = append(dst, t.text...)
		case tokenSymbol:
			dst = a.symbol(dst, t.index)
		case tokenLocal:
			dst = a.symbol(dst, a.topic.local[t.index])
		case tokenSlot:
			dst = a.slotText(dst, slot(t.index))
		}
	}
	return dst
}

// choose draws a phrase, and once again where it is the one used last.
func (a *author) choose(id int) phrase {
	s := &a.symbols[id]
	k := a.draw(id, s)
	if a.echoing {
		return s.phrases[k]
	}
	if int(a.last[id]) == k+1 {
		k = a.draw(id, s)
	}
	a.last[id] = int16(k + 1)
	return s.phrases[k]
}

// draw draws the index of a phrase. Where a symbol has a window, most draws
// fall into the article's own.
func (a *author) draw(id int, s *symbol) int {
	n := len(s.phrases)
	if s.window == 0 || a.dice.IntN(8) == 0 {
		return a.dice.IntN(n)
	}
	start := int(scatter(a.key^uint64(id)) % uint64(n))
	return (start + a.dice.IntN(s.window)) % n
}
