package news

// Tally counts the held posts of a day in one part of it: a category, an outlet
// or an hour.
type Tally struct {
	Day   Day    // of publication, or the one that the infoCode proves
	Name  string // of the category or outlet, "" for posts without; or the hour, as 07
	Posts int
}
