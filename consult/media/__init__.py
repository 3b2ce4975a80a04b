"""Pictures that come in: written again, small, in a process that can do nothing else."""
