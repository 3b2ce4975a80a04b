"""Reports by citizens, the moderators' queue (a query), decisions with their grounds, the public tombstones."""
