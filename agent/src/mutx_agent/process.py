"""The process's own governor.

The one object of this package that remembers something: a decorator at the top of a file needs it before anything is
configured, so it connects with the first call.
"""

from mutx_agent.governor import Governor

govern = Governor()
