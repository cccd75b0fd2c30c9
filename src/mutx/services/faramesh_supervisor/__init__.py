"""Agents as child processes: started, watched, restarted, stopped with everything they started, and never doubled."""
