"""Two codings of a corpus side by side: versions of a codebook, versions of a model, or two dates."""
