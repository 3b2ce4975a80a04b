"""The age that a consultation may ask people to declare before they take part."""
