"""A mix as a project of a digital audio workstation, to go on with by hand.

session     what a project is made from: tracks, settings, levels
media       which audio files a project points to
jsfx        the console's processors as Reaper effects
rpp         Reaper projects
dawproject  the open exchange format DAWproject
writing     projects on disk, written whole or not at all
"""
