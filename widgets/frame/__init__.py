"""What stands around and above the figures: header, footer, panels, banners, cards."""
