"""Traffic: how many visits, on which pages, from where, at what hours; never who."""
