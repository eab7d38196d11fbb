package archive

const noFollow = 0

// giveToOwner does nothing: a folder says who may use what is made in it.
func giveToOwner(string, func(uid, gid int) error) error { return nil }
