"""The egress gateway: an explicit HTTP proxy that has every outbound request decided, for tools that no adapter sees.

heads       request and response heads, strictly read
addresses   names to addresses, and what kind of address that is
gateway     one connection: who asks, what for, the decision
exchange    an allowed request there and back, or a tunnel: bytes both ways
authority   certificates for a run that has https looked into
"""
