//! Layers and images as tools make them, and as nobody should.
