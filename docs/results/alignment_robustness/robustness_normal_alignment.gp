# Draws robustness_normal_alignment.svg and robustness_normal_alignment.png from robustness_normal_alignment.dat; to draw again: gnuplot robustness_normal_alignment.gp, in this folder.

set encoding utf8
set border 3 linecolor rgb '#444444'
set tics nomirror
set grid linetype 1 linecolor rgb '#e0e0e0'
set key outside center top horizontal Left reverse
set xlabel 'normal alignment'
set ylabel 'l2 distance to the boundary'
set logscale y
set title 'certificate against normal alignment'

do for [format in 'svg png'] {
if (format eq 'svg') {
  set terminal svg noenhanced size 720,560 font 'sans-serif,14' background rgb 'white'
} else {
  set terminal pngcairo noenhanced size 1440,1120 font 'sans,21' linewidth 2 pointscale 2
}
set output 'robustness_normal_alignment.'.format
plot 'robustness_normal_alignment.dat' index 0 using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb '#000000' title 'memorised', \
     'robustness_normal_alignment.dat' index 1 using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb '#D55E00' title 'grokked', \
     'robustness_normal_alignment.dat' index 2 using 1:2 with points pointtype 6 pointsize 0.6 linecolor rgb '#D55E00' notitle, \
     'robustness_normal_alignment.dat' index 3 using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb '#0072B2' title 'grokalign, grokked', \
     NaN with points pointtype 6 pointsize 0.6 linecolor rgb '#777777' title 'lower bound'
unset output
}
