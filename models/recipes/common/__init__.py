"""What the recipes share: reading data packages, a resumable training run, writing a model folder."""
