"""Sound on screen: the view in Explore, and the parts that other workspaces use."""
