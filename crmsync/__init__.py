"""crmsync keeps contacts, tags, notes and tasks the same in GoHighLevel and CentralStationCRM."""
